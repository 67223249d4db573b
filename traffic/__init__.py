"""The pure domain of Wayside: geometry, scene, tracking, passages and facts.

No Ray, no I/O, no clock, no networks: numpy, scipy's assignment solver and the standard library only, so
``import traffic`` works anywhere and every figure can be tested without a camera.
"""
