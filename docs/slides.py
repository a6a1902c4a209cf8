"""How nbconvert makes the slides (`course slides`): from disk, without a network."""

import re
import sys
from pathlib import Path

from nbconvert.preprocessors import Preprocessor

sys.path.insert(0, str(Path(__file__).parent))
from formulas import mathml

CODE_OR_FORMULA = re.compile(r"(```.*?```|`[^`\n]*`)|\$\$(.+?)\$\$|\$([^$\n]+)\$", flags=re.S)


def drawn(found):
    """Return a formula as MathML, and code as it is."""
    if found[1]:
        return found[1]
    return mathml(found[2], "block") if found[2] else mathml(found[3], "inline")


class Formulas(Preprocessor):
    """Draw formulas before a page would ask for a script to do it."""

    def preprocess_cell(self, cell, resources, index):
        """Replace the formulas of a Markdown cell."""
        if cell.cell_type == "markdown":
            cell.source = CODE_OR_FORMULA.sub(drawn, cell.source)
        return cell, resources


c = get_config()  # noqa: F821, nbconvert defines it
c.NbConvertApp.export_format = "slides"
c.NbConvertApp.log_level = "WARN"
c.SlidesExporter.template_file = str(Path(__file__).with_name("slides.html.j2"))
c.SlidesExporter.reveal_url_prefix = "reveal.js"
c.SlidesExporter.reveal_theme = "white"  # its fonts lie beside it
c.SlidesExporter.preprocessors = [Formulas]
c.SlidesExporter.exclude_input_prompt = c.SlidesExporter.exclude_output_prompt = True
# What is folded in JupyterLab stays out of sight here: a question is seen, not its source.
c.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
