package route

import (
	"errors"
	"time"

	"github.com/expr-lang/expr/ast"
)

// Bounds of one run of an expression. A run takes as many steps as all its loops have
// rounds: two nested over 10,000 files are 100,000,000, for which a sender would wait
// 20 s. The time is for rounds that are long by themselves, such as comparisons of
// lists.
const (
	maxSteps = 250_000
	maxTime  = time.Second
	// lookAtClock is the number of steps between looks at the time.
	lookAtClock = 64
)

// errBudget ends a run that takes more than its budget.
var errBudget = errors.New("more than its budget of steps or time")

// stepName is what no expression can be written with.
const stepName = "·step"

// budget is what a run has left.
type budget struct {
	steps int
	until time.Time
}

func newBudget() budget { return budget{steps: maxSteps, until: time.Now().Add(maxTime)} }

// step takes one. It ends the run by a panic, of which the machine makes an error.
func (b *budget) step() bool {
	b.steps--
	if b.steps < 0 || b.steps%lookAtClock == 0 && time.Now().After(b.until) {
		panic(errBudget) //nolint:forbidigo // nothing else ends the machine, and a result of two is 300 ns slower
	}
	return true
}

// stepper has every round of a loop begin with a step: PREDICATE becomes
// step() ? PREDICATE : nil.
type stepper struct{}

// Visit implements ast.Visitor.
func (stepper) Visit(node *ast.Node) {
	predicate, ok := (*node).(*ast.PredicateNode)
	if !ok {
		return
	}
	predicate.Node = &ast.ConditionalNode{
		Cond: &ast.CallNode{Callee: &ast.IdentifierNode{Value: stepName}},
		Exp1: predicate.Node,
		Exp2: &ast.NilNode{},
	}
}
