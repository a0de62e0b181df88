"""What a user writes for each way: one file each, whose lines are counted, run in that way's own Python."""
