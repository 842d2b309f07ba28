-- Let the operator change things again.
obj.spec.paused = false
return obj
