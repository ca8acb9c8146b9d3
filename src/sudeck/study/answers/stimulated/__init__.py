"""What was measured with magnetic stimulation: before and after treatment, on the pain side and the other.

In the order of the data: `hemisphere_reading`, `placed_readings`, `reading_choice`, `stimulation_table` (of
a study), `measured_table` (of a table alone).
"""
