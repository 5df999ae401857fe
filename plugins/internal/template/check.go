package template

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
	"time"
)

// checker finds in templates what cannot be right whatever the event: names that no event
// has, and calls with too few or too many arguments. It follows the types of values as far
// as they are known; a nil type is not.
type checker struct {
	source    string
	trees     map[string]*parse.Tree
	functions map[string]reflect.Type
	// variables are those in scope, the latest last.
	variables []variable
	// begun are the templates that were looked at, with the type of their dot.
	begun map[use]bool
	err   error
}

type variable struct {
	name string
	of   reflect.Type
}

type use struct {
	name string
	dot  reflect.Type
}

func check(source string, trees map[string]*parse.Tree) error {
	c := checker{source: source, trees: trees, functions: map[string]reflect.Type{}, begun: map[use]bool{}}
	for name, f := range (&run{}).functions() {
		c.functions[name] = reflect.TypeOf(f)
	}
	c.template(mainName, reflect.TypeFor[fields]())
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(c.begun)), func(u use) bool { return u.name == name }) {
			c.template(name, nil) // it is called by none
		}
	}
	return c.err
}

// fail keeps the first problem.
func (c *checker) fail(at parse.Node, err error) { c.failAt(int(at.Position()), err) }

func (c *checker) failAt(at int, err error) {
	if c.err == nil && err != nil {
		c.err = errorAt(c.source, at, err)
	}
}

// template looks at a template with a type of dot, once.
func (c *checker) template(name string, dot reflect.Type) {
	tree := c.trees[name]
	if tree == nil || c.begun[use{name, dot}] {
		return
	}
	c.begun[use{name, dot}] = true
	outer := c.variables
	c.variables = []variable{{"$", dot}}
	c.list(tree.Root, dot)
	c.variables = outer
}

func (c *checker) list(l *parse.ListNode, dot reflect.Type) {
	if l == nil {
		return
	}
	for _, node := range l.Nodes {
		c.node(node, dot)
	}
}

func (c *checker) node(node parse.Node, dot reflect.Type) {
	scope := len(c.variables)
	switch n := node.(type) {
	case *parse.ActionNode:
		t := c.pipe(n.Pipe, dot)
		c.declare(n.Pipe, t)
		return // what an action declares is there for those that follow
	case *parse.IfNode:
		c.declare(n.Pipe, c.pipe(n.Pipe, dot))
		c.list(n.List, dot)
		c.list(n.ElseList, dot)
	case *parse.WithNode:
		t := c.pipe(n.Pipe, dot)
		c.declare(n.Pipe, t)
		c.list(n.List, t)
		c.list(n.ElseList, dot)
	case *parse.RangeNode:
		of := c.pipe(n.Pipe, dot)
		if isObject(of) {
			of = nil // its members are of several types
		}
		c.declare(n.Pipe, elementOf(of))
		c.list(n.List, elementOf(of))
		c.list(n.ElseList, dot)
	case *parse.TemplateNode:
		if c.trees[n.Name] == nil {
			c.fail(n, fmt.Errorf("there is no template %q", n.Name))
			return
		}
		var t reflect.Type
		if n.Pipe != nil {
			t = c.pipe(n.Pipe, dot)
		}
		c.template(n.Name, t)
	}
	c.variables = c.variables[:scope]
}

// declare notes the type of the last variable of a pipeline. The first of two is an index.
func (c *checker) declare(p *parse.PipeNode, t reflect.Type) {
	for i, v := range p.Decl {
		of := t
		if i < len(p.Decl)-1 {
			of = nil
		}
		if !p.IsAssign {
			c.variables = append(c.variables, variable{v.Ident[0], of})
			continue
		}
		for j, known := range c.variables {
			if known.name == v.Ident[0] && known.of != of {
				c.variables[j].of = nil
			}
		}
	}
}

// pipe returns the type of a pipeline's value.
func (c *checker) pipe(p *parse.PipeNode, dot reflect.Type) reflect.Type {
	var t reflect.Type
	for i, cmd := range p.Cmds {
		t = c.command(cmd, dot, t, i > 0)
	}
	return t
}

// command returns the type of what a command results in. With piped, it gets one more
// argument, of the type last.
func (c *checker) command(cmd *parse.CommandNode, dot, last reflect.Type, piped bool) reflect.Type {
	first, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		if len(cmd.Args) > 1 || piped {
			c.fail(cmd.Args[0], fmt.Errorf("%s is no function and takes no arguments", cmd.Args[0]))
		}
		return c.value(cmd.Args[0], dot)
	}
	args := make([]reflect.Type, 0, len(cmd.Args))
	for _, arg := range cmd.Args[1:] {
		args = append(args, c.value(arg, dot))
	}
	if piped {
		args = append(args, last)
	}
	c.arguments(first, len(args))
	c.constants(first, cmd.Args[1:])
	t, err := resultOf(first.Ident, cmd.Args[1:], args)
	c.fail(first, err)
	return t
}

// arguments checks how many a function is given.
func (c *checker) arguments(f *parse.IdentifierNode, given int) {
	least, most := 1, 1 // not
	switch t := c.functions[f.Ident]; {
	case t != nil && t.IsVariadic():
		least, most = t.NumIn()-1, given
	case t != nil:
		least, most = t.NumIn(), t.NumIn()
	case f.Ident == "ne", f.Ident == "lt", f.Ident == "le", f.Ident == "gt", f.Ident == "ge":
		least, most = 2, 2
	case f.Ident == "eq":
		least, most = 2, given
	case f.Ident == "and", f.Ident == "or":
		most = given
	}
	switch {
	case given < least:
		c.fail(f, fmt.Errorf("%s needs %d arguments and has %d", f.Ident, least, given))
	case given > most:
		c.fail(f, fmt.Errorf("%s takes %d arguments and has %d", f.Ident, most, given))
	}
}

// constants checks arguments that are written in the template.
func (c *checker) constants(f *parse.IdentifierNode, args []parse.Node) {
	for i, arg := range args {
		s, ok := arg.(*parse.StringNode)
		switch {
		case !ok:
		case f.Ident == "printf" && i == 0:
			_, err := verbs(s.Text)
			c.fail(s, err)
		case f.Ident == "date" && i == 1 && strings.Contains(s.Text, "/"):
			_, err := time.LoadLocation(s.Text)
			if err != nil {
				c.fail(s, noZone(s.Text))
			}
		}
	}
}

// resultOf returns the type of a function's result, as far as it follows from those of its
// arguments.
func resultOf(name string, args []parse.Node, types []reflect.Type) (reflect.Type, error) {
	if len(types) == 0 {
		return nil, nil
	}
	last := types[len(types)-1]
	switch name {
	case "first", "last":
		return elementOf(last), nil
	case "limit", "distinct":
		return last, nil
	case "index":
		t := types[0]
		for range types[1:] {
			t = elementOf(t)
		}
		return t, nil
	case "pluck":
		field, ok := args[0].(*parse.StringNode)
		of := elementOf(last)
		if !ok || of == nil {
			return nil, nil
		}
		t, err := follow(of, field.Text)
		switch {
		case t == nil:
			return nil, err
		case t.Kind() == reflect.Slice: // lists of lists become one
			return t, nil
		default:
			return reflect.SliceOf(t), nil
		}
	default:
		return nil, nil
	}
}

// value returns the type of an operand.
func (c *checker) value(node parse.Node, dot reflect.Type) reflect.Type {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.chain(startOf(n), dot, n.Ident)
	case *parse.VariableNode:
		return c.chain(int(n.Pos), c.variable(n.Ident[0]), n.Ident[1:])
	case *parse.ChainNode:
		return c.chain(int(n.Pos), c.value(n.Node, dot), n.Field)
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.IdentifierNode: // a function without arguments
		return c.command(&parse.CommandNode{Args: []parse.Node{n}}, dot, nil, false)
	default:
		return nil
	}
}

// startOf returns where a field begins. The parser notes where the second of its names does.
func startOf(n *parse.FieldNode) int {
	if len(n.Ident) == 1 {
		return int(n.Pos)
	}
	return int(n.Pos) - len("."+n.Ident[0])
}

// chain returns the type that names lead to from t. They begin at a byte of the source, each
// with a dot.
func (c *checker) chain(at int, t reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		next, err := follow(t, name)
		c.failAt(at+len("."), err)
		t = next
		at += len("." + name)
	}
	return t
}

func (c *checker) variable(name string) reflect.Type {
	for _, v := range slices.Backward(c.variables) {
		if v.name == name {
			return v.of
		}
	}
	return nil
}
