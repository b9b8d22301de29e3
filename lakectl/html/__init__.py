"""What the report and the console share: templates, styles, charts, the picture, and values as texts."""
