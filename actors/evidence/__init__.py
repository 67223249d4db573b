"""What shows an event: pictures and clips, made beside the analysis and whole before the event leaves."""
