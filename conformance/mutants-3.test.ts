import { judgeShare } from './mutants-share.ts';

judgeShare(3);
