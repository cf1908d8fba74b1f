"""The notebooks of `examples/notebooks`, run from top to bottom."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) == 4


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    text = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert not [line for line in text if "Warning" in line or "Error" in line], text
    if path.stem == "01_first_report":
        markup = [output.data.get("text/html", "") for output in outputs if "data" in output]
        assert any("m disease absent" in page and "<svg" in page for page in markup)
