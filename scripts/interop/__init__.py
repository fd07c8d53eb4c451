"""The interop test: the same scenarios played by Godot 3.6's original class and by this addon in Godot 4."""
