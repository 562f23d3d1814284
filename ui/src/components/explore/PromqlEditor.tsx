import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, Prec, type Extension } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import Box from '@mui/material/Box';
import { useTheme, type Theme } from '@mui/material/styles';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { useEffect, useRef } from 'react';

import { MONO } from '../../theme';
import { CompletionClient } from './completionClient';

export interface PromqlEditorProps {
  value: string;
  label: string;
  autoFocus?: boolean;
  /** What the server found wrong, and where. */
  problem: { from: number; message: string } | null;
  onChange: (text: string) => void;
  onRun: () => void;
}

const language = new PromQLExtension().activateLinter(false).setComplete({ remote: new CompletionClient() });

function look(theme: Theme): Extension {
  const { palette } = theme;
  const [blue = '', amber = '', green = '', pink = '', , violet = ''] = palette.series;
  const colours = HighlightStyle.define([
    { tag: tags.keyword, color: violet },
    { tag: [tags.function(tags.variableName), tags.standard(tags.variableName)], color: blue },
    { tag: [tags.string, tags.special(tags.string)], color: green },
    { tag: [tags.number, tags.literal], color: amber },
    { tag: [tags.labelName, tags.attributeName], color: pink },
    { tag: [tags.operator, tags.modifier, tags.arithmeticOperator], color: violet },
    { tag: tags.comment, color: palette.text.secondary, fontStyle: 'italic' },
  ]);
  const base = EditorView.theme(
    {
      '&': { fontSize: '13px', backgroundColor: 'transparent', color: palette.text.primary },
      '&.cm-focused': { outline: 'none' },
      '.cm-content': { fontFamily: MONO, padding: '8px 2px', caretColor: palette.primary.main },
      '.cm-cursor': { borderLeftColor: palette.primary.main },
      '.cm-scroller': { lineHeight: '1.5' },
      '.cm-placeholder': { color: palette.text.secondary },
      '.cm-matchingBracket': { backgroundColor: `${palette.primary.main}33 !important`, color: 'inherit' },
      '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: `${palette.primary.main}40 !important` },
      '.cm-tooltip': { backgroundColor: palette.surface.raised, border: `1px solid ${palette.divider}`, borderRadius: '8px', boxShadow: '0 10px 28px rgba(0,0,0,.28)', overflow: 'hidden' },
      '.cm-tooltip-autocomplete > ul': { fontFamily: MONO, fontSize: '12px', maxHeight: '18em' },
      '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px !important', lineHeight: '1.5' },
      '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: `${palette.primary.main}2e !important`, color: `${palette.text.primary} !important` },
      '.cm-completionMatchedText': { textDecoration: 'none', color: palette.primary.main, fontWeight: '600' },
      '.cm-completionDetail': { color: palette.text.secondary, fontStyle: 'normal', marginLeft: '12px' },
      '.cm-completionInfo': { padding: '8px 10px', maxWidth: '360px', fontSize: '12px' },
      '.cm-lintRange-error': { backgroundImage: 'none', borderBottom: `2px solid ${palette.error.main}` },
      '.cm-lintPoint:after': { borderBottomColor: palette.error.main },
      '.cm-diagnostic': { fontFamily: MONO, fontSize: '12px' },
    },
    { dark: palette.mode === 'dark' },
  );
  return [base, syntaxHighlighting(colours)];
}

function keys(run: () => void): Extension {
  const runUnlessChoosing = (view: EditorView) => {
    if (completionStatus(view.state) === 'active') return false;
    run();
    return true;
  };
  return [
    Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => (run(), true) }, { key: 'Shift-Enter', run: insertNewlineAndIndent }])),
    Prec.high(keymap.of([{ key: 'Enter', run: runUnlessChoosing }, { key: 'Escape', run: (view) => (view.contentDOM.blur(), true) }])),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap.filter((binding) => binding.key !== 'Tab')]),
  ];
}

/** A PromQL field with completion from the server; enter runs, shift-enter breaks the line. */
export default function PromqlEditor({ value, label, autoFocus, problem, onChange, onRun }: PromqlEditorProps) {
  const theme = useTheme();
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const appearance = useRef(new Compartment());
  const callbacks = useRef({ onChange, onRun });
  callbacks.current = { onChange, onRun };
  const first = useRef({ value, label, autoFocus, theme });

  useEffect(() => {
    const { current: initial } = first;
    const made = new EditorView({
      parent: place.current ?? undefined,
      state: EditorState.create({
        doc: initial.value,
        extensions: [
          keys(() => callbacks.current.onRun()),
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false }),
          language.asExtension(),
          placeholder('A PromQL expression, such as rate(http_requests_total[5m])'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': initial.label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) callbacks.current.onChange(update.state.doc.toString());
          }),
          appearance.current.of(look(initial.theme)),
        ],
      }),
    });
    view.current = made;
    if (initial.autoFocus) made.focus();
    return () => made.destroy();
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: appearance.current.reconfigure(look(theme)) });
  }, [theme]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const length = editor.state.doc.length;
    const from = Math.min(problem?.from ?? 0, Math.max(0, length - 1));
    const marks = problem ? [{ from, to: Math.min(length, from + 1), severity: 'error' as const, message: problem.message }] : [];
    editor.dispatch(setDiagnostics(editor.state, marks));
  }, [problem]);

  return <Box ref={place} data-testid="promql" sx={{ minWidth: 0, flex: 1 }} />;
}
