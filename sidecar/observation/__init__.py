"""What is observed of requests: for the metrics, the traces and the log of slow ones.

The two faces begin and end an observation (`request`). What works for the request tells of its stages (`stages`);
outside of requests nothing is observed.
"""
