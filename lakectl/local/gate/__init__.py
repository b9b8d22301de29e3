"""What the local AWS does, and what it refuses by name: asked after the permissions, before anything is dispatched.

``services/*.toml`` says of each service which operations run and which only store; :mod:`table` reads them. All else is
refused: an answer without its effect would be a lie that is found in production.
"""
