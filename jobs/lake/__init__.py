"""The parts of ``retail_bronze_to_silver``. They travel to Glue in ``--extra-py-files``."""
