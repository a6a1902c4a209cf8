"""Views, one file a notebook: the drawings that only it needs, and what they compute."""
