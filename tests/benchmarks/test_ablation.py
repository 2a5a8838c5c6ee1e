"""The ablation on a toy log, with real runs of one epoch."""

import sys
from types import SimpleNamespace

import pytest

from benchmarks import ablation, readme_results, variants


def test_a_tiny_ablation_runs_resumes_and_reaches_the_readme(toy, monkeypatch, capsys):
    out = toy / "results" / "ablation"
    arguments = ["ablation", f"toy={toy}", "--seeds=1", "--epochs=1", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--variants", "IMNNetPlus", "RecentHistory"])
    assert ablation.main() == 0
    text = out.with_suffix(".md").read_text()
    assert "| IMNNetPlus | " in text
    assert "| RecentHistory | " in text
    assert "| item asked for: a new item | " in text
    assert "| training, events/s | test, rows/s |" in text
    cells = next(x for x in text.splitlines() if x.startswith("| IMNNetPlus ")).split(" | ")
    assert all(float(cell.strip(" |").replace(",", "")) > 0 for cell in cells[-2:])
    runs = sorted(out.rglob("*.parquet"))
    assert len(runs) == 2
    written = [file.stat().st_mtime_ns for file in runs]

    monkeypatch.setattr(sys, "argv", [*arguments, "--variants", "IMNNetPlus", "RecentHistory"])
    assert ablation.main() == 0
    assert [file.stat().st_mtime_ns for file in runs] == written
    assert out.with_suffix(".md").read_text() == text

    monkeypatch.setattr(readme_results, "RESULTS", toy / "results")
    block = readme_results.ablations()
    assert block.startswith("`toy`:")
    assert "| IMNNetPlus | " in block
    assert "item asked for" not in block


@pytest.mark.parametrize("variant", ablation.VARIANTS)
def test_each_variant_is_a_model_that_differs_by_its_switches_alone(variant, prepare):
    model, switches = ablation.VARIANTS[variant]
    config = prepare(model, **switches)[0]
    plain = prepare(model)[0]
    changed = {key for key, value in config.final_config_dict.items() if plain[key] != value}
    assert changed == set(switches)


def test_each_variant_has_a_folder_of_its_own(tmp_path):
    options, data = SimpleNamespace(out=tmp_path), variants.Data("toy", tmp_path)
    folders = {variants.place(options, data, variant) for variant in ablation.VARIANTS}
    assert len(folders) == len(ablation.VARIANTS)


def test_item_features_are_switched_where_there_are_any(toy):
    options = SimpleNamespace(variants=list(ablation.VARIANTS))
    without, having = (
        {v for v in ablation.VARIANTS if ablation.wanted(options, variants.Data(n, toy / n), v)}
        for n in ("toy", "priced")
    )
    assert having - without == {
        "no taste by item features",
        "no item features in static embeddings",
    }
    assert having == set(ablation.VARIANTS)


def test_variants_without_slices_have_a_table_still(toy, monkeypatch):
    out = toy / "results" / "ablation"
    arguments = ["ablation", f"toy={toy}", "--seeds=1", "--epochs=1", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--variants", "no freshness"])
    assert ablation.main() == 0
    assert "| no freshness | " in out.with_suffix(".md").read_text()


def test_a_notice_is_copied_whole_and_plain():
    notice = "**toy is SIMULATED data (resource strength 0.5, 5 users); results say nothing.**"
    text = readme_results.summary(f"toy\n\n{notice}\n\n| a |\n|---|\n")
    assert text.startswith("`toy` (toy is SIMULATED data (resource strength 0.5, 5 users)):\n")


def test_a_broken_argument_is_one_line(toy, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ablation", f"nothing={toy}"])
    assert ablation.main() == 2
    assert "nothing.inter does not exist" in capsys.readouterr().err
