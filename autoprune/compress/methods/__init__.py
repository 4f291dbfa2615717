"""The methods of this project: values, without torch; their surgery is in `surgery`."""
