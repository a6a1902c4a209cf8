"""Controls that redraw a picture, each with a twin that needs no kernel.

A view is made from one pure function, ``draw(**values) -> Figure``. Where a kernel runs, sliders and
menus call it. On a page without one (the HTML copy, the printed site) the same function has already
drawn a strip of frames, and a small player steps through them.
"""

import hashlib
import html
import json

from . import plotting

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_PLAYER = """
<figure id="{key}" class="course-player" role="group" aria-label="{label}"
  style="margin:0;max-width:{width}px;background:white;color:#222;padding:6px">
<div>{first}</div>
<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">
<button type="button" data-go="-1">back</button>
<button type="button" data-go="play">play</button>
<button type="button" data-go="1">next</button>
<label style="flex:1">frame <input type="range" min="0" max="{last}" value="0"
  style="width:70%;vertical-align:middle"></label>
</div>
<figcaption aria-live="polite">{caption}</figcaption>
<script>(function () {{
  var frames = {frames};
  var box = document.getElementById("{key}");
  if (!box || box.dataset.ready) return;
  box.dataset.ready = "yes";
  var picture = box.querySelector("img"), slider = box.querySelector("input");
  var caption = box.querySelector("figcaption"), timer = null;
  function go(k) {{
    k = (k + frames.length) % frames.length;
    slider.value = k;
    picture.src = "data:image/png;base64," + frames[k].png;
    picture.alt = frames[k].alt;
    caption.textContent = frames[k].caption;
  }}
  function stop(button) {{ clearInterval(timer); timer = null; button.textContent = "play"; }}
  var play = box.querySelector('[data-go="play"]');
  box.addEventListener("click", function (event) {{
    var what = event.target.dataset.go;
    if (!what) return;
    if (what !== "play") {{ stop(play); go(+slider.value + +what); return; }}
    if (timer) {{ stop(play); return; }}
    play.textContent = "pause";
    timer = setInterval(function () {{ go(+slider.value + 1); }}, 900);
  }});
  slider.addEventListener("input", function () {{ stop(play); go(+slider.value); }});
}})();</script>
</figure>"""


def player(frames, *, label):
    """Make a self-contained HTML player of frames: play, step, slider, caption, alt text.

    Parameters
    ----------
    frames : sequence of (Figure, str, str)
        Each frame's figure, its caption, and its alternative text.
    label : str
        Name of the player, read out by a screen reader.

    Returns
    -------
    str
        HTML that works in JupyterLab, in a static page and from disk; without scripts it shows the
        first frame.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    frames = list(frames)
    if not frames:
        raise ValueError("frames must hold at least one (figure, caption, alt): got none")
    import base64

    width = frames[0][0].get_figwidth()
    pictures = [plotting.to_png(figure) for figure, _, _ in frames]
    first = plotting.image_tag(pictures[0], frames[0][2], width)
    if len(frames) == 1:
        return f"{first}<p>{html.escape(frames[0][1])}</p>"
    store = [
        {"png": base64.b64encode(picture).decode("ascii"), "caption": caption, "alt": alt}
        for picture, (_, caption, alt) in zip(pictures, frames, strict=True)
    ]
    # A script ends at the first "</" that it holds, whatever stands around it.
    text = json.dumps(store).replace("</", "<\\/")
    return _PLAYER.format(
        key="player-" + hashlib.sha256(text.encode()).hexdigest()[:12],
        label=html.escape(label, quote=True),
        width=round(width * plotting.CSS_PIXELS_PER_INCH) + 12,
        first=first,
        last=len(frames) - 1,
        caption=html.escape(frames[0][1]),
        frames=text,
    )


class View:
    """A picture with controls, shown by a bare expression at the end of a cell.

    Attributes
    ----------
    controls : dict from str to ipywidgets.Widget
        Set ``view.controls["row"].value`` to do what a reader does with the mouse.
    picture : ipywidgets.HTML
        The picture as it is shown now.
    """

    def __init__(self, draw, alt, controls, stills, label):
        import ipywidgets

        self._draw, self._alt, self._stills, self._label = draw, alt, stills, label
        self.controls = {name: _control(name, value) for name, value in controls.items()}
        self.picture = ipywidgets.HTML()
        self._box = ipywidgets.VBox(
            [ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})]
            + [self.picture]
        )
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self._redraw()

    @property
    def values(self):
        """The controls' present values, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self, _change=None):
        # A combination that makes no sense (a kernel larger than the image) says so in the picture's
        # place, as the function itself says it.
        try:
            self.picture.value = plotting.to_html(
                self._draw(**self.values), self._alt(**self.values)
            )
        except ValueError as error:
            self.picture.value = f"<p><b>Not possible:</b> {html.escape(str(error))}</p>"

    def static(self):
        """Return the twin that needs no kernel, as HTML."""
        frames = [
            (self._draw(**still), _caption(still), self._alt(**still)) for still in self._stills
        ]
        return player(frames, label=self._label)

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = dict(self._box._repr_mimebundle_() or {})
        bundle["text/html"] = self.static()
        return bundle


def explore(draw, *, alt, stills, label, **controls):
    """Make a view: one drawing function, live controls, and a strip of frames for readers.

    Parameters
    ----------
    draw : callable
        ``draw(**values) -> Figure``, one argument a control.
    alt : callable
        ``alt(**values) -> str``: what that picture shows.
    stills : sequence of dict
        The values of each frame of the static twin.
    label : str
        Name of the view.
    **controls
        A sequence of choices (a menu), ``(low, high)`` integers (a slider), or any ipywidget.

    Returns
    -------
    View

    Raises
    ------
    ValueError
        If `stills` is empty, or names a control that is not there.
    """
    stills = [dict(still) for still in stills]
    if not stills:
        raise ValueError("stills must hold at least one set of values: got none")
    for still in stills:
        if set(still) != set(controls):
            raise ValueError(
                f"each of stills must give {sorted(controls)}: got {sorted(still)}"
            )
    return View(draw, alt, controls, stills, label)


def _control(name, value):
    import ipywidgets

    words = name.replace("_", " ")
    style = {"description_width": "initial"}
    if isinstance(value, ipywidgets.Widget):
        return value
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int) for v in value):
        low, high = value
        return ipywidgets.IntSlider(
            low, low, high, description=words, style=style, continuous_update=False
        )
    return ipywidgets.Dropdown(options=list(value), description=words, style=style)


def _caption(values):
    return " · ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
