"""MAT-files of every version as plain values, and what recording programs export in them."""
