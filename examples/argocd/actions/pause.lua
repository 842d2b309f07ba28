-- Stop every change by the operator, deletion included. Jobs that already run on machines end.
obj.spec.paused = true
return obj
