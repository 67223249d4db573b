"""Ray actors and the plain code they wrap: decoding, camera pipeline, delivery, archive. Never imports torch."""
