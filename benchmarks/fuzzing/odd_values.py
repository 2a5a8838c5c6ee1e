"""Values that look like something else."""

from __future__ import annotations

EVIL = "__import__('os').system('touch PWNED')"
ODD_IDS = (
    *("NA", "null", "nan", "None", "0", "-1", "1e5", "01", "[PAD]", "True", " lead", "trail "),
    *("a b", "x" * 300, "日本語", "é", "e\u0301", '"quoted"', '"open', "it's", "a,b", "#hash"),
    *("\u00a0", "\u200b", "🚗", "-inf", "a:b", "a=b", "../up", "%s", "{x}", "\\N", "\x1b[31m"),
    EVIL,
)
BAD_TIMES = ("nan", "inf", "-inf", "", "NaN", "12:30", "2024-01-01", "1_000", "0x10", "1,5", "x")
FAR_TIMES = ("1e300", "1.7e12", "1700000000000", "-1e300", "1e12")
FINE_TIMES = ("-1000000.5", "0", "1e5", "-0.0", "1.000000001", "+7", ".5", "5.")
BAD_NUMBERS = ("nan", "inf", "1e300", "-1e300", "NaN", "abc", "1,5", "1e999", "٣", "--1", "1 2")
BAD_FLAGS = ("2", "true", "", "-1", "0.5", "nan", "yes", "1;0")
