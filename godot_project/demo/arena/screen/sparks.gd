## Short effects where a coin was taken, or somebody was hit.
class_name ArenaSparks
extends Node2D

const LIFE := 0.6


class Spark:
	extends RefCounted

	var where := Vector2.ZERO
	var motion := Vector2.ZERO
	var colour := Color.WHITE
	var text := ""
	var left := LIFE


var _sparks: Array[Spark] = []


## Small dots that fly away from a place.
func burst(where: Vector2, colour: Color, count: int, speed: float) -> void:
	for i in count:
		var spark := _new_spark(where, colour)
		spark.motion = Vector2.from_angle(randf() * TAU) * speed * randf_range(0.5, 1.0)


## A word that rises.
func rise(where: Vector2, colour: Color, text: String) -> void:
	var spark := _new_spark(where, colour)
	spark.motion = Vector2.UP * 55.0
	spark.text = text


func _process(delta: float) -> void:
	for spark in _sparks:
		spark.left -= delta
		spark.where += spark.motion * delta
		spark.motion *= 1.0 - minf(2.5 * delta, 1.0)
	_sparks = _sparks.filter(func(spark: Spark) -> bool: return spark.left > 0.0)
	queue_redraw()


func _draw() -> void:
	var font := ThemeDB.fallback_font
	for spark in _sparks:
		var share := spark.left / LIFE
		var colour := Color(spark.colour, share)
		if spark.text == "":
			draw_circle(spark.where, 1.0 + 3.0 * share, colour, true, -1.0, true)
			continue
		var at := spark.where + Vector2(-12.0, -16.0)
		draw_string_outline(
			font, at, spark.text, HORIZONTAL_ALIGNMENT_LEFT, -1, 18, 5, Color(ArenaLook.BACK, share)
		)
		draw_string(font, at, spark.text, HORIZONTAL_ALIGNMENT_LEFT, -1, 18, colour)


func _new_spark(where: Vector2, colour: Color) -> Spark:
	var spark := Spark.new()
	spark.where = where
	spark.colour = colour
	_sparks.append(spark)
	return spark
