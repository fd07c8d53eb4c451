"""The RPC test: games of Godot 3.6 and of Godot 4 call each other, in separate processes."""
