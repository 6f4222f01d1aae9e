import { judgeModels } from './models-share.ts';

judgeModels(2);
