"""Measures the addon's class against those of Godot 4.6 and Godot 3.6, each in engines of their own."""
