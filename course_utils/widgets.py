"""`explore`: one pure function, with live controls and a player that needs no kernel."""

import hashlib
import html
import json

from . import plotting

_PLAYER = """
<figure class="course-player" id="{key}" role="group" aria-label="{label}"
  style="margin:0;max-width:{width}px;background:white;color:#222;color-scheme:light;padding:6px">
<div>{first}</div>
<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">
<button type="button" data-go="-1">back</button>
<button type="button" data-go="play">play</button>
<button type="button" data-go="1">next</button>
<input type="range" min="0" max="{last}" value="0" aria-label="frame" style="flex:1">
</div>
<figcaption aria-live="polite">{caption}</figcaption>
<script>(function () {{
  var box = document.getElementById("{key}");
  var picture = box.querySelector("img"), slider = box.querySelector("input");
  var caption = box.querySelector("figcaption"), play = box.querySelector('[data-go="play"]');
  var frames = [{{src: picture.src, alt: picture.alt, caption: caption.textContent}}];
  frames = frames.concat({frames});
  var timer = null;
  function go(k) {{
    k = (k + frames.length) % frames.length;
    slider.value = k;
    picture.src = frames[k].src;
    picture.alt = frames[k].alt;
    caption.textContent = frames[k].caption;
  }}
  function run(on) {{
    clearInterval(timer);
    timer = on ? setInterval(function () {{ go(+slider.value + 1); }}, 900) : null;
    play.textContent = on ? "pause" : "play";
  }}
  box.addEventListener("click", function (event) {{
    var what = event.target.dataset.go;
    if (what === "play") run(!timer);
    else if (what) {{ run(false); go(+slider.value + Number(what)); }}
  }});
  slider.addEventListener("input", function () {{ run(false); go(+slider.value); }});
}})();</script>
</figure>"""


def player(frames, label):
    """Make a player (play, step, slider, caption, alt text): HTML that a page on disk can hold.

    `frames` are tuples (Figure, caption, alternative text); `label` names the player for a screen
    reader.
    """
    (figure, caption, alt), *later = frames
    first = plotting.to_html(figure, alt)
    rest = [
        {"src": plotting.data_url(figure), "alt": alt, "caption": caption}
        for figure, caption, alt in later
    ]
    # "</script" and "<!--" mean something inside a script, even within a string.
    text = json.dumps(rest).replace("<", "\\u003c")
    return _PLAYER.format(
        key="player-" + hashlib.sha256((first + text).encode()).hexdigest()[:12],
        label=html.escape(label, quote=True),
        width=round(96 * figure.get_figwidth()) + 12,
        first=first,
        last=len(later),
        caption=html.escape(caption),
        frames=text,
    )


class View:
    """A picture with controls, shown by a bare expression at the end of a cell.

    ``view.controls["row"].value = 3`` does what a reader does with the mouse; `picture`, an
    ipywidgets.HTML, is the picture as it is now.
    """

    def __init__(self, draw, stills, label, controls):
        import ipywidgets

        self._draw, self._label = draw, label
        # Drawn now and not when shown: what is raised while a value is shown fails no cell.
        frames = []
        for still in stills:
            figure, alt = draw(**still)
            shown = [name for name in still if not isinstance(controls[name], str)]
            caption = ", ".join(f"{_words(name)} {still[name]}" for name in shown)
            frames.append((figure, caption, alt))
        self._static = player(frames, label)
        self.controls = {
            name: _control(name, choices, stills[0][name]) for name, choices in controls.items()
        }
        self.picture = ipywidgets.HTML(plotting.to_html(frames[0][0], frames[0][2]))
        row = ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        self._box = ipywidgets.VBox([row, self.picture])
        for control in self.controls.values():
            control.observe(self._redraw, names="value")

    def _redraw(self, _change):
        # Jupyter swallows what a callback raises, and the control would seem dead: say it in the
        # picture's place. A ValueError is a choice that makes no sense, in its own words.
        try:
            values = {name: control.value for name, control in self.controls.items()}
            self.picture.value = plotting.to_html(*self._draw(**values))
        except Exception as error:
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            self.picture.value = f"<p><b>Not possible:</b> {html.escape(kind + str(error))}</p>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        twins = {"text/html": self._static, "text/plain": self._label}
        return {**self._box._repr_mimebundle_(), **twins}


def explore(draw, *, stills, label, **controls):
    """Make a view: live controls where a kernel runs, a player of the stills elsewhere.

    Parameters
    ----------
    draw : callable
        ``draw(**values) -> (Figure, alt)``: one argument a control, and the picture's alt text.
    stills : sequence of dict
        The values of each frame of the player; the live view opens with the first.
    label : str
        Name of the view.
    **controls
        Two integers ``(low, high)``: a slider; a text: a line to type in, and its name; any other
        sequence of choices: a menu.
    """
    if not stills or any(set(still) != set(controls) for still in stills):
        raise ValueError(f"stills must be dicts that each give {sorted(controls)}: got {stills!r}")
    return View(draw, stills, label, controls)


def _control(name, choices, first):
    import ipywidgets

    look = {"description": _words(name), "style": {"description_width": "initial"}}
    if isinstance(choices, str):
        look["description"] = choices
        return ipywidgets.Text(first, continuous_update=False, **look)
    if [type(choice) for choice in choices] == [int, int] and isinstance(choices, tuple):
        return ipywidgets.IntSlider(first, *choices, continuous_update=False, **look)
    return ipywidgets.Dropdown(options=list(choices), value=first, **look)


def _words(name):
    return name.replace("_", " ")
