package template

import (
	"strconv"
	"text/template/parse"
)

// The functions that rewritten templates call. The parser does not know them, so that no
// template can be written with them.
const (
	stepFunction  = "step_"
	enterFunction = "enter_"
	leaveFunction = "leave_"
	fieldFunction = "field_"
	printFunction = "print_"
)

// rewriter makes of what was written what is executed. Every round of a range and every
// template begins with its steps, fields are read by a function to which an absent part is
// empty, and what actions print is escaped.
type rewriter struct{ kinds map[string]kind }

func rewrite(trees map[string]*parse.Tree) {
	r := rewriter{kindsByName()}
	for _, tree := range trees {
		steps := r.list(tree.Root)
		enter := call(enterFunction, tree.Root.Position(), number(steps))
		leave := call(leaveFunction, tree.Root.Position())
		tree.Root.Nodes = append(append([]parse.Node{action(enter)}, tree.Root.Nodes...), action(leave))
	}
}

// list rewrites a list and returns its steps.
func (r rewriter) list(l *parse.ListNode) int {
	if l == nil {
		return 0
	}
	steps := 1
	for _, node := range l.Nodes {
		steps += r.node(node)
	}
	return steps
}

func (r rewriter) node(node parse.Node) int {
	switch n := node.(type) {
	case *parse.ActionNode:
		steps := r.pipe(n.Pipe)
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, call(printFunction, n.Pos))
		}
		return steps
	case *parse.IfNode:
		return r.pipe(n.Pipe) + r.list(n.List) + r.list(n.ElseList)
	case *parse.WithNode:
		return r.pipe(n.Pipe) + r.list(n.List) + r.list(n.ElseList)
	case *parse.RangeNode:
		round := action(call(stepFunction, n.Pos, number(r.list(n.List))))
		n.List.Nodes = append([]parse.Node{round}, n.List.Nodes...)
		return r.pipe(n.Pipe) + r.list(n.ElseList)
	case *parse.TemplateNode:
		if n.Pipe == nil {
			return 1
		}
		return r.pipe(n.Pipe)
	default:
		return 1
	}
}

func (r rewriter) pipe(p *parse.PipeNode) int {
	steps := 1
	for _, cmd := range p.Cmds {
		for i := range cmd.Args {
			steps += r.operand(&cmd.Args[i])
		}
	}
	return steps
}

// operand rewrites a part of a command in its place.
func (r rewriter) operand(node *parse.Node) int {
	switch n := (*node).(type) {
	case *parse.FieldNode:
		*node = r.field(&parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}, n.Pos, n.Ident)
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			names := n.Ident[1:]
			of := *n
			of.Ident = n.Ident[:1]
			*node = r.field(&of, n.Pos, names)
		}
	case *parse.ChainNode:
		of := n.Node
		steps := r.operand(&of)
		*node = r.field(of, n.Pos, n.Field)
		return steps + 1
	case *parse.PipeNode:
		return r.pipe(n)
	}
	return 1
}

// field is (field_ of kind name…).
func (r rewriter) field(of parse.Node, pos parse.Pos, names []string) parse.Node {
	args := []parse.Node{of, literal(pos, string(r.kinds[names[len(names)-1]]))}
	for _, name := range names {
		args = append(args, literal(pos, name))
	}
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{call(fieldFunction, pos, args...)}}
}

func call(function string, pos parse.Pos, args ...parse.Node) *parse.CommandNode {
	name := parse.NewIdentifier(function).SetPos(pos)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: append([]parse.Node{name}, args...)}
}

func action(cmd *parse.CommandNode) parse.Node {
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: cmd.Pos, Cmds: []*parse.CommandNode{cmd}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: cmd.Pos, Pipe: pipe}
}

func literal(pos parse.Pos, s string) parse.Node {
	return &parse.StringNode{NodeType: parse.NodeString, Pos: pos, Quoted: strconv.Quote(s), Text: s}
}

func number(n int) parse.Node {
	return &parse.NumberNode{NodeType: parse.NodeNumber, IsInt: true, Int64: int64(n), Text: strconv.Itoa(n)}
}
