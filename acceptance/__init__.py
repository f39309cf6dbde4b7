"""The delivery kit: what an installation has to show, how it is measured and judged, and the signed report of it."""
