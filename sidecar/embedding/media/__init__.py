"""Images and other files: where they come from, what is in them, and how they become what a model takes."""
