## Figures as texts.
@tool


static func text(figure: String, value: float) -> String:
	if is_nan(value):
		return ""
	match figure:
		"round_trip_msec", "jitter_msec":
			return "%.1f ms" % value
		"loss_out", "loss_in":
			return "%.1f %%" % (100.0 * value)
		"wire_bytes_sent", "wire_bytes_received":
			return String.humanize_size(roundi(value)) + "/s"
		"queued_bytes":
			return String.humanize_size(roundi(value))
	return "%.0f/s" % value
