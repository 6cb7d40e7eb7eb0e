"""What comments say: folded, judged, grouped and put into topics. Pure: no rows, no clocks, no sockets."""
