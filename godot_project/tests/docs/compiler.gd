## Compiles scripts without running them: `-s res://compiler.gd -- CASE ...`.
extends SceneTree


func _initialize() -> void:
	for word in OS.get_cmdline_user_args():
		var script: GDScript = load("res://%s.gd" % word)
		var is_good := script != null and script.can_instantiate()
		print("@@ %s %s" % ["ok" if is_good else "FAILED", word])
	quit()
