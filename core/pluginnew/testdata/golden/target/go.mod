module github.com/you/hookarr-target-demo

go 1.26.0

require github.com/hookarr/hookarr/sdk v0.1.0

require (
	a.example/a v1.2.3 // indirect
	b.example/b v1.0.0 // indirect
)

replace github.com/hookarr/hookarr/sdk => "/the SDK"
