package deliver

// The points where a build with the tag failpoint can be told to die, for the tests
// that nothing is lost there.
const (
	// afterClose is passed when a group is closed and nothing is sent.
	afterClose = "after-close"
	// afterAnswer is passed when the endpoint has answered and nothing is recorded.
	afterAnswer = "after-answer"
	// afterSettle is passed when the outcome is committed and the job is not ended.
	afterSettle = "after-settle"
)
