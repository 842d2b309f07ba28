module goref

go 1.21
