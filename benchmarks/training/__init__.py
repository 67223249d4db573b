"""Recipes of the small networks that come with Wayside: rendered pictures, training, and the weights they write."""
