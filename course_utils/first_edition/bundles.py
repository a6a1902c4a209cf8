"""What the outputs of a notebook are made of, for who makes them and for who reads them."""

HEADLINE = "application/vnd.cnn-course.headline+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def without_widgets(bundle):
    """Return a mime bundle without its live view, where it has an HTML twin to fall back on."""
    if "text/html" in bundle:
        return {kind: value for kind, value in bundle.items() if kind != WIDGET_VIEW}
    return bundle
