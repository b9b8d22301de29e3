"""What the command line, both functions and the job share: boto3 at most. It travels in their packages."""
