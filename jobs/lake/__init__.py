"""The parts of the transform and of maintenance. They travel to Glue in ``--extra-py-files``."""
