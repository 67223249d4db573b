"""Number plates: detection, rectification, two readers decoded jointly under the grammar of Chinese plates, colour."""
