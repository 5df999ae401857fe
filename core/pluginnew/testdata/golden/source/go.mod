module example.com/hookarr-source-4k

go 1.26.0

require github.com/hookarr/hookarr/sdk v1.2.3
