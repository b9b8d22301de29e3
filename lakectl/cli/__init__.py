"""The command line. Modules here import click and nothing heavier; each command's own module is
imported when the command runs."""
