module example.com/hookarr-source-requests

go 1.26.0

require github.com/hookarr/hookarr/sdk v1.2.3
