module snippet

go 1.21
