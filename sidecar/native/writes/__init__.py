"""Documents on their way to the cluster: their declared vectors are computed and put in beside their sources."""
