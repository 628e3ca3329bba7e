"""The Chinese of the figures' words; a word without one is an error, not an English cell."""

WORDS = {
    "duplicate tasks": "重复任务",
    "lost": "丢失",
    "repeats of done rows": "已完成行被重发",
    "rows unaccounted": "去向不明的行",
    "harnesses that let it pass": "装置未能揭穿",
    "outcomes the CRM contradicts": "与 CRM 不符的结果",
    "runs over the limit": "超限的运行",
    "rows in doubt beyond one batch": "超过一批的存疑行",
    "wrong values": "错误的值",
    "exits after 20 s": "超过 20 秒才退出",
    "kills": "次 SIGKILL",
    "SIGTERMs": "次 SIGTERM",
    "crash points": "个崩溃点",
    "runs": "次运行",
    "rows": "行",
    "batches of 100": "次（每批 100）",
}
