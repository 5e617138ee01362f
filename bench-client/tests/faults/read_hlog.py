"""Reads HdrHistogram interval logs with the implementation of PyPI, and prints what it finds as JSON, a line each."""

import json
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

for path in sys.argv[1:]:
    whole = HdrHistogram(1, 3_600_000_000, 3)
    reader = HistogramLogReader(path, whole)
    intervals = 0
    while reader.add_next_interval_histogram(whole):
        intervals += 1
    reader.close()
    quantiles = {name: whole.get_value_at_percentile(share) for name, share in
                 [("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9)]}
    print(json.dumps({
        "intervals": intervals,
        "count": whole.get_total_count(),
        "max": whole.get_max_value(),
        **quantiles,
    }))
