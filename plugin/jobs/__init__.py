"""What a job is: AOI, workflow, parameters, request, estimate, job. Python and shapely; no Qt, network or disk."""
