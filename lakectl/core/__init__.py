"""What the command line and the Glue job share: pure Python, no Spark, no click. It travels in the job's package."""
