"""Two hemispheres of motor cortex under magnetic stimulation: parameters, simulation, protocols, measures."""
