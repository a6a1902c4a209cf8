"""Controls that redraw a picture, each with a twin that needs no kernel.

A view is made from one pure function, ``draw(**values) -> Figure``. Where a kernel runs, sliders
and menus call it. On a page without one (the HTML copy, the printed site) the same function has
already drawn a strip of frames, and a small player steps through them.
"""

import hashlib
import html
import json

from . import plotting

_PLAYER = """
<figure class="course-player {key}" role="group" aria-label="{label}"
  style="margin:0;max-width:{width}px;background:white;color:#222;color-scheme:light;padding:6px">
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
  function start(box) {{
    box.dataset.ready = "yes";
    var picture = box.querySelector("img"), slider = box.querySelector("input");
    var caption = box.querySelector("figcaption"), play = box.querySelector('[data-go="play"]');
    var first = {{src: picture.src, alt: picture.alt, caption: caption.textContent}};
    var frames = [first].concat({frames}), timer = null;
    function go(k) {{
      k = (k + frames.length) % frames.length;
      slider.value = k;
      slider.setAttribute("aria-valuetext", frames[k].caption);
      picture.src = frames[k].src;
      picture.alt = frames[k].alt;
      caption.textContent = frames[k].caption;
    }}
    function run(on) {{
      clearInterval(timer);
      timer = on ? setInterval(function () {{
        if (box.isConnected) go(+slider.value + 1); else run(false);
      }}, 900) : null;
      play.textContent = on ? "pause" : "play";
      caption.setAttribute("aria-live", on ? "off" : "polite");
    }}
    box.addEventListener("click", function (event) {{
      var what = event.target.dataset.go;
      if (what === "play") run(!timer);
      else if (what) {{ run(false); go(+slider.value + Number(what)); }}
    }});
    slider.addEventListener("input", function () {{ run(false); go(+slider.value); }});
    slider.value = 0;
  }}
  document.querySelectorAll(".{key}:not([data-ready])").forEach(start);
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
        If there is no frame, or one without alternative text.
    """
    frames = list(frames)
    if not frames:
        raise ValueError("frames must hold at least one (figure, caption, alt): got none")
    return _played(frames, plotting.to_html(frames[0][0], frames[0][2]), label)


def _played(frames, first, label):
    """Make the player of frames of which the first is HTML already."""
    if len(frames) == 1:
        return f"{first}<p>{html.escape(frames[0][1])}</p>"
    width = frames[0][0].get_figwidth()
    # The first frame is on the page already: the script reads it from there.
    later = [
        {
            "alt": plotting.checked_alt(alt),
            "src": plotting.data_url(plotting.legible_png(figure, alt)),
            "caption": caption,
        }
        for figure, caption, alt in frames[1:]
    ]
    # "</script" and "<!--" mean something inside a script, even within a string.
    text = json.dumps(later).replace("<", "\\u003c")
    return _PLAYER.format(
        # The same player may stand on a page twice, so its key is a class and not an id.
        key="player-" + hashlib.sha256((first + text).encode()).hexdigest()[:12],
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

        self._draw, self._alt, self._label = draw, alt, label
        # Drawn now and not when shown: IPython only prints what is raised while it shows a value,
        # so that a broken frame would not fail the cell.
        frames = [(draw(**still), _caption(still), alt(**still)) for still in stills]
        first = plotting.to_html(frames[0][0], frames[0][2])
        self._static = _played(frames, first, label)
        # The live picture opens where the player does, which is chosen to be worth seeing.
        self.controls = {
            name: _control(name, choices, first=stills[0][name])
            for name, choices in controls.items()
        }
        self.picture = ipywidgets.HTML()
        self._box = ipywidgets.VBox(
            [ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})]
            + [self.picture]
        )
        for control in self.controls.values():
            control.observe(self._on_change, names="value")
        if self.values == stills[0]:  # unless a widget of the caller's own begins elsewhere
            self.picture.value = first
        else:
            self._redraw()

    @property
    def values(self):
        """The controls' present values, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _on_change(self, _change):
        # Jupyter writes what is raised here into a log that nobody reads, and the picture would
        # stay as if the control did nothing.
        try:
            self._redraw()
        except Exception as error:
            said = html.escape(f"{type(error).__name__}: {error}")
            self.picture.value = f"<p><b>Could not be drawn:</b> {said}</p>"

    def _redraw(self):
        # A combination that makes no sense (a kernel larger than the image) says so in the
        # picture's place, as the function itself says it.
        try:
            self.picture.value = plotting.to_html(
                self._draw(**self.values), self._alt(**self.values)
            )
        except ValueError as error:
            self.picture.value = f"<p><b>Not possible:</b> {html.escape(str(error))}</p>"

    def static(self):
        """Return the twin that needs no kernel, as HTML."""
        return self._static

    def _repr_mimebundle_(self, include=None, exclude=None):
        twins = {"text/html": self.static(), "text/plain": self._label}
        return {**self._box._repr_mimebundle_(), **twins}


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
        A tuple of two integers ``(low, high)`` (a slider), any other sequence of choices (a menu),
        or an ipywidget.

    Returns
    -------
    View

    Raises
    ------
    ValueError
        If `stills` is empty, or one of them does not give a value to each control.
    """
    stills = [dict(still) for still in stills]
    if not stills:
        raise ValueError("stills must hold at least one set of values: got none")
    for still in stills:
        if set(still) != set(controls):
            raise ValueError(f"each of stills must give {sorted(controls)}: got {sorted(still)}")
    return View(draw, alt, controls, stills, label)


def _control(name, choices, first):
    import ipywidgets

    words = name.replace("_", " ")
    style = {"description_width": "initial"}
    if isinstance(choices, ipywidgets.Widget):
        return choices
    if isinstance(choices, tuple) and [type(v) for v in choices] == [int, int]:
        low, high = choices
        return ipywidgets.IntSlider(
            first, low, high, description=words, style=style, continuous_update=False
        )
    return ipywidgets.Dropdown(options=list(choices), value=first, description=words, style=style)


def _caption(values):
    return " · ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
