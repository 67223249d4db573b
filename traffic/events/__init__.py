"""Traffic events: detectors of incidents with one shared life cycle. Pure code; see docs/events.md."""
